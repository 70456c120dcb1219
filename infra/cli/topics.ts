import { Command } from 'commander'
import { apply, problemOf } from '../google/topics/apply.ts'
import { type Action, plan } from '../google/topics/plan.ts'
import { openProject, type Project } from '../google/topics/project.ts'
import { summaryOf, textOf } from '../google/topics/report.ts'
import { readTopics } from '../topics-file.ts'
import { environment } from './arguments.ts'
import { printJson, printLine } from './output.ts'

const say = (line: string): void => {
  process.stderr.write(`${line}\n`)
}

const compared = async ({ wanted, resources, project }: Project): Promise<Action[]> => {
  try {
    return plan(wanted, await resources.find())
  } catch (error) {
    throw new Error(`project ${project} cannot be read: ${problemOf(error)}`)
  }
}

const withProject = async (work: (project: Project, actions: Action[]) => Promise<void> | void): Promise<void> => {
  const opened = openProject(environment(), readTopics())
  try {
    const { mode, project, location, leftOut } = opened
    say(`project ${project}, ${mode}${location === undefined ? '' : `, jobs in ${location}`}`)
    if (leftOut !== undefined) say(leftOut)
    await work(opened, await compared(opened))
  } finally {
    await opened.close()
  }
}

const print = ({ mode, project, location }: Project, actions: readonly Action[], json: boolean): void =>
  json ? printJson({ mode, project, location: location ?? null, actions }) : printLine(textOf(actions))

const carryOut = (prune: boolean) =>
  withProject(async ({ resources }, actions) => {
    const { created, changed, deleted, left, failures } = await apply(actions, resources, { prune, say })
    const counts = Object.entries({ created, changed, deleted, left }).filter(([, count]) => count > 0)
    const done = counts.map(([what, count]) => `${count} ${what}`).join(', ')
    printLine(done === '' ? 'nothing to do' : done)
    if (failures.length > 0)
      throw new Error(`${failures.length} of ${actions.length} could not be done: ${failures.join('; ')}. What was done stays; apply again`)
  })

type Shown = { json: boolean }

export const topics = (): Command =>
  new Command('topics')
    .description('Compare topics.yaml with a Google project: topics, subscriptions and the jobs of Cloud Scheduler.')
    .addCommand(
      new Command('plan')
        .description('Print what apply would do.')
        .option('--json', 'as JSON', false)
        .addHelpText('after', '\nExample:\n  $ GOOGLE_CLOUD_PROJECT=my-project-1 GCP_REGION=europe-west1 npx ibt topics plan')
        .action(({ json }: Shown) => withProject((project, actions) => print(project, actions, json))),
    )
    .addCommand(
      new Command('apply')
        .description('Make it so. Nothing is deleted without --prune.')
        .option('--prune', 'delete what is ours and no longer in topics.yaml; unread messages are lost with their subscription', false)
        .addHelpText('after', '\nExample:\n  $ GOOGLE_CLOUD_PROJECT=my-project-1 GCP_REGION=europe-west1 npx ibt topics apply')
        .action(({ prune }: { prune: boolean }) => carryOut(prune)),
    )
    .addCommand(
      new Command('check')
        .description('Print the difference, and fail when there is one.')
        .option('--json', 'as JSON', false)
        .addHelpText('after', '\nExample:\n  $ npx ibt topics check && echo as in topics.yaml')
        .action(({ json }: Shown) =>
          withProject((project, actions) => {
            print(project, actions, json)
            if (actions.length > 0) throw new Error(`project ${project.project} is not as topics.yaml says: ${summaryOf(actions)}`)
          }),
        ),
    )
    .addHelpText(
      'after',
      `
Needs GOOGLE_CLOUD_PROJECT, and GCP_REGION for the jobs. Only the resources of TRADING_MODE are looked at. A schedule at the
close becomes one job for each possible close; the engine refuses the one that does not match the day. Only jobs in GCP_REGION
are seen: after a move to another region, delete the old ones by hand.

What apply creates is marked: topics and subscriptions by the labels managed-by=ib-trading and trading-mode={mode}; jobs, which
have no labels, by a name {mode}-…, a topic {mode}-… and the attributes source=scheduler and job. --prune deletes only what is so
marked and not in topics.yaml. A topic or subscription of topics.yaml that was made without the labels is brought into line all
the same, but never deleted. What Google does not change in place (ordering, the topic of a subscription …) is named, with what
to do about it.

Dead letters need rights that apply does not give: Pub/Sub's service agent must be a publisher on {mode}-dead-letters and a
subscriber on the subscriptions of the engine.

With Google's emulators the jobs are left out, unless CLOUD_SCHEDULER_EMULATOR_HOST names a server that stands in.

Examples:
  $ npx ibt topics plan
  $ npx ibt topics plan --json | jq -r '.actions[].action'
  $ TRADING_MODE=live GCP_REGION=europe-west1 npx ibt topics apply
  $ npx ibt topics apply --prune
  $ npx ibt topics check`,
    )
