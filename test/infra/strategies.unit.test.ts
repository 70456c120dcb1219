import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { loadStrategies } from '../../infra/strategies.ts'
import meanReversion from '../fixtures/strategies/meanreversion.ts'
import { checkStrategy } from '../strategy-kit.ts'

const own = fileURLToPath(new URL('../../domain/strategies', import.meta.url))
const fixtures = fileURLToPath(new URL('../fixtures/strategies', import.meta.url))

/** The text of a strategy file that imports nothing; `changes` are laid over a sound one. */
const file = (changes: Record<string, unknown> = {}): string => {
  const sound = {
    name: 'Outside',
    description: 'from a folder of its own',
    instruments: { GLD: { symbol: 'GLD', secType: 'STK', exchange: 'SMART', currency: 'USD' } },
    bars: [{ instrument: 'GLD', size: '1 day', duration: '1 M', whatToShow: 'TRADES', regularHoursOnly: true, atLeast: 1 }],
  }
  const signal = "signal: () => ({ kind: 'neutral', indicators: {}, reason: 'quiet' })"
  return `export default { ...${JSON.stringify({ ...sound, ...changes })}${'signal' in changes ? '' : `, ${signal}`} }\n`
}

describe('finding strategies', () => {
  let folder: string
  const write = (name: string, text: string): void => writeFileSync(join(folder, name), text)
  const failure = async (folders = [folder]): Promise<string> => {
    try {
      await loadStrategies(folders)
    } catch (error) {
      return (error as Error).message
    }
    return 'no error'
  }

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'strategies-'))
    write('package.json', '{ "type": "module" }')
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  it('finds the three of this project', async () => {
    expect(Object.keys(await loadStrategies([own]))).to.have.members(['dummy', 'spymacdvixy', 'testsignalgenerator'])
  })

  it('finds those of several folders, in TypeScript and in JavaScript, and nothing else that lies there', async () => {
    write('outside.js', file())
    write('typed.ts', `const name: string = 'Typed'\n${file().replace('{ ...', '{ ...{ }, ...').replace(' }\n', ', name }\n')}`)
    write('typed.test.ts', 'throw new Error("a test is no strategy")\n')
    write('typed.d.ts', 'export declare const name: string\n')
    write('notes.md', '# notes\n')
    mkdirSync(join(folder, 'folder.ts'))
    expect(Object.keys(await loadStrategies([fixtures, folder, own, fixtures])).sort()).to.deep.equal([
      'dummy',
      'meanreversion',
      'outside',
      'spymacdvixy',
      'testsignalgenerator',
      'typed',
    ])
  })

  it('answers only to ids that were found', async () => {
    expect((await loadStrategies([own]))['constructor']).to.equal(undefined)
  })

  const wrong: [string, string, RegExp][] = [
    ['exports nothing', 'export const strategy = 1\n', /no default export/],
    ['exports something else', 'export default 7\n', /not a strategy: /],
    ['has no signal', file({ signal: 'buy' }), /not a strategy: signal: expected a function, got "buy"/],
    ['has a bad name', file({ name: 'My Strategy' }), /not a strategy: name: expected a letter, then letters/],
    ['has no instrument', file({ instruments: {}, bars: [] }), /instruments: none declared/],
    [
      'has an instrument of an unknown kind',
      file({ instruments: { GLD: { symbol: 'GLD', secType: 'ETF', exchange: 'SMART', currency: 'USD' } } }),
      /instruments\.GLD.*secType/,
    ],
    [
      'has a bad duration',
      file({ bars: [{ instrument: 'GLD', size: '1 day', duration: '1 month', whatToShow: 'TRADES', regularHoursOnly: true, atLeast: 1 }] }),
      /duration.*'5 D' or '2 Y', got "1 month"/,
    ],
    [
      'asks for bars of what it does not declare',
      file({ bars: [{ instrument: 'SLV', size: '1 day', duration: '1 M', whatToShow: 'TRADES', regularHoursOnly: true, atLeast: 1 }] }),
      /bars: SLV is none of its instruments \(GLD\)/,
    ],
    [
      'keeps fewer bars than it needs',
      file({
        bars: [{ instrument: 'GLD', size: '1 day', duration: '1 M', count: 5, whatToShow: 'TRADES', regularHoursOnly: true, atLeast: 9 }],
      }),
      /bars: GLD keeps 5 but needs at least 9/,
    ],
    ['does not parse', 'export default {\n', /cannot be loaded: /],
    ['imports what is not there', "import './absent.js'\n", /cannot be loaded: .*absent\.js/],
    [
      'has defaults that its own codec refuses',
      `const codec = { decode: () => ({ _tag: 'Left', left: [{ value: 1, context: [{ key: 'span', type: { name: 'span' } }] }] }) }\n${file().replace(' }\n', ', parameters: { codec, defaults: { span: 0 } } }\n')}`,
      /the defaults do not pass the codec: span: /,
    ],
  ]
  for (const [name, text, message] of wrong) {
    it(`names the file that ${name}`, async () => {
      write('bad.js', text)
      expect(await failure())
        .to.match(message)
        .and.to.include(join(folder, 'bad.js'))
    })
  }

  it('names both files when two answer to one id or alias', async () => {
    write('one.js', file({ aliases: ['Gold'] }))
    write('two.js', file({ name: 'GOLD' }))
    expect(await failure()).to.equal(`two strategies answer to gold: ${join(folder, 'one.js')} and ${join(folder, 'two.js')}`)
  })

  it('refuses the name of another command', async () => {
    write('one.js', file({ name: 'Halt' }))
    const loading = loadStrategies([folder], ['halt', 'resume'])
    expect(await loading.catch((error: Error) => error.message)).to.equal(`${join(folder, 'one.js')}: halt is the name of another command`)
  })

  it('names a folder that cannot be read', async () => {
    expect(await failure([join(folder, 'absent')])).to.equal(`strategies folder ${join(folder, 'absent')} cannot be read (ENOENT)`)
  })
})

describe('the example strategy', () => checkStrategy(meanReversion))
