/** `npm run world` as somebody at a terminal meets it. */
import { spawnSync } from 'node:child_process'
import { expect } from 'chai'
import { emptyTally, neverMet, rerun } from './nights.ts'

const program = new URL('./run.ts', import.meta.url).pathname
const run = (...given: string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...given], { encoding: 'utf8', timeout: 100_000 })
  return { status, out: stdout, errors: stderr }
}

describe('npm run world', function () {
  this.timeout(180_000)

  it('says what it can do', () => {
    const { status, out } = run('--help')
    expect(status).to.equal(0)
    for (const option of ['--histories', '--seed', '--threads', '--night', '--planted']) expect(out).to.include(option)
    expect(out).to.include('an engine that sends orders before their plan is durable')
  })

  for (const [given, said] of [
    [['--histories', '0'], '--histories'],
    [['--seed', ''], '--seed'],
    [['--planted', 'no such bug'], 'no planted bug is named so'],
    [['--faults'], '--faults'],
  ] as const)
    it(`names what is wrong with "${given.join(' ')}"`, () => {
      const { status, out, errors } = run(...given)
      expect(status).to.equal(1)
      expect(out).to.equal('')
      expect(errors.split('\n')[0]).to.include('error:').and.to.include(said)
    })

  it('lives through the nights of a seed, and tells how often each fault and each end of a process was met', () => {
    const { status, out, errors } = run('--histories', '4', '--seed', 'short', '--threads', '2')
    expect(errors).to.include('never met in so few nights')
    expect(status).to.equal(0)
    expect(out)
      .to.match(/\d+ {2}a message comes late\n/)
      .and.to.match(/\d+ {2}journal\.append, done\n/)
    expect(out).to.match(/4 nights of the seed short kept every promise: \d+ orders, \d+ commits/)
  })

  it('tells the story of a night that fails, a shorter one, and the line that repeats both', () => {
    const planted = ['--planted', 'keeps no marker']
    const { status, out, errors } = run('--histories', '20', '--seed', 'fails', '--threads', '2', ...planted)
    expect(status).to.equal(1)
    expect(errors.split('\n')[0]).to.match(/^every command has one outcome: /)
    const [, again = '', night = ''] =
      errors.match(/to see it again: (npm run world -- --night (\S+) --planted 'keeps no marker of a command')/) ?? []
    expect(again).to.not.equal('')
    const [first = '', second = ''] = out.split('── the same failure, with ')
    expect(first).to.include(`── the night ${night}, as it was ──`).and.to.include('VIOLATED: every command has one outcome')
    const [, left, all] = second.match(/^(\d+) of its (\d+) actions/)!
    expect(Number(left)).to.be.lessThan(Number(all) / 2)
    expect(second).to.include('VIOLATED: every command has one outcome')

    const repeated = run('--night', night, ...planted)
    expect(repeated.status).to.equal(1)
    expect(repeated.out).to.equal(out)
    expect(run('--night', night).status, 'without the bug').to.equal(0)
  })
})

describe('the line that repeats a night', () => {
  it('can be given to a shell as it is', () => {
    expect(rerun('7.12')).to.equal('npm run world -- --night 7.12')
    expect(rerun("it's.1", 'forgets to acknowledge')).to.equal("npm run world -- --night 'it'\\''s.1' --planted 'forgets to acknowledge'")
  })
})

describe('a run that met everything but one', () => {
  it('is told which', () => {
    const tally = emptyTally()
    const all = neverMet(tally)
    expect(all).to.include('the line is cut').and.to.include('lease.release, done')
    for (const name of all) tally[name.includes(', ') || name.includes('.') ? 'crashes' : 'faults'][name] = 1
    delete tally.faults['the line is cut']
    expect(neverMet(tally)).to.deep.equal(['the line is cut'])
  })
})
