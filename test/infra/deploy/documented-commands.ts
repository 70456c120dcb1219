/** The commands that our pages show, and whether the tools would take them. */
import { findStrategies } from '../../../infra/compose.ts'
import { createCommandCheck } from '../../../infra/publication.ts'
import { readTopics } from '../../../infra/topics-file.ts'
import { ibt } from '../cli/ibt.ts'

// ── Reading pages ──

/** A command line as words; what stands before it (`NAME=value`) and after it (`| …`, `# …`) is not part of it. */
export type Shown = { line: string; variables: Record<string, string>; words: string[] }

/** The lines of indented code, a backslash at the end going on in the next. */
const codeLines = (page: string): string[] =>
  page
    .split('\n')
    .filter((line) => line.startsWith('    ') && line.trim() !== '')
    .map((line) => line.trim())
    .join('\n')
    .replaceAll(/\\\n/g, ' ')
    .split('\n')

/** As a shell splits it. @throws Error at a quotation mark without its second */
const wordsOf = (text: string): { words: string[]; rest: string } => {
  const words: string[] = []
  let rest = text.trimStart()
  for (;;) {
    if (rest === '' || rest.startsWith('#')) return { words, rest: '' }
    const operator = /^(\|\||\||&&|;)/.exec(rest)?.[0]
    if (operator !== undefined) return { words, rest: rest.slice(operator.length) }
    let word = ''
    for (;;) {
      const part = /^(?:'([^']*)'|"((?:[^"\\]|\\.)*)"|([^\s'"|;&#]+|#(?!\s)))/.exec(rest)
      if (part === null) break
      word += part[1] ?? part[2]?.replaceAll(/\\(["\\$`])/g, '$1') ?? part[3]
      rest = rest.slice(part[0].length)
    }
    if (/^['"]/.test(rest)) throw new Error(`a quotation mark without its second: ${text}`)
    words.push(word)
    const trimmed = rest.trimStart()
    if (trimmed === rest && rest !== '' && !/^(\||&&|;)/.test(rest)) throw new Error(`cannot be read: ${text}`)
    rest = trimmed
  }
}

/** Every command of a page, also those behind `&&` and in a pipe. */
export const shownCommands = (page: string): Shown[] =>
  codeLines(page).flatMap((line) => {
    const found: Shown[] = []
    for (let text = line; text.trim() !== ''; ) {
      const { words, rest } = wordsOf(text)
      const first = words.findIndex((word) => !/^[A-Z_][A-Z0-9_]*=/.test(word))
      const assigned = words.slice(0, first < 0 ? words.length : first).map((word) => word.split(/=(.*)/s).slice(0, 2) as [string, string])
      found.push({ line, variables: Object.fromEntries(assigned), words: first < 0 ? [] : words.slice(first) })
      text = rest
    }
    return found
  })

// ── ibt ──

const helps = new Map<string, Promise<string>>()
const helpOf = (verbs: string[]): Promise<string> => {
  const key = verbs.join(' ')
  const known = helps.get(key) ?? ibt([...verbs, '--help']).then(({ code, out }) => (code === 0 ? out : ''))
  helps.set(key, known)
  return known
}

/** What is wrong with a line that begins with `npx ibt` or `ibt`; nothing where it would be taken. */
export const problemsOfIbt = async ({ words, line }: Shown): Promise<string[]> => {
  const [verb = '', next = '', ...others] = words.slice(words[0] === 'npx' ? 2 : 1)
  const top = await helpOf([])
  if (!new RegExp(`^  ${verb}\\b`, 'm').test(top)) return [`${line}: there is no verb ${verb}`]
  const isSub = next !== '' && new RegExp(`^  ${next}\\b`, 'm').test((await helpOf([verb])).split('Commands:')[1] ?? '')
  const help = await helpOf(isSub ? [verb, next] : [verb])
  const unknown = [next, ...others].filter((word) => word.startsWith('--') && word !== '--help' && !help.includes(word.split('=')[0]!))
  const wrongFlags = unknown.map((word) => `${line}: ${verb} has no ${word}`)
  if (verb !== 'publish') return wrongFlags
  const given = others.indexOf('--data')
  const body = JSON.parse(given < 0 ? '{}' : others[given + 1]!) as object
  const strategies = await findStrategies({})
  const check = createCommandCheck({ topics: readTopics(), strategies, mode: 'paper' })
  const checked = check.check({ type: next, body, id: 'shown', source: 'cli' })
  return [...wrongFlags, ...(checked.ok ? [] : [`${line}: ${checked.problem}`])]
}

/** One after the other, since each help is a process. */
export const problemsOfAllIbt = async (commands: readonly Shown[]): Promise<string[]> => {
  const problems: string[] = []
  for (const each of commands) problems.push(...(await problemsOfIbt(each)))
  return problems
}
