/** Every row of the table of intents as a user asks for it, by curl where there is one, else by a reading of its line. */
import { execFile, execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { canonical } from '../../../domain/commit.ts'
import { intents } from '../../../handlers/handlers.ts'
import { onEachStore } from '../../stores.ts'
import { type CurlLine, cashOfTheLines, curlLines } from './curl-lines.ts'
import { startTradingWorld, type TradingWorld } from './trading-world.ts'

const curlIsHere = (): boolean => {
  try {
    execFileSync('curl', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** The fields of JSON by their names, since the stores keep no order of them. */
const inOrder = (body: string): string => (/^[[{]/.test(body) ? canonical(JSON.parse(body)) : body)

/** The words of a line, as a shell takes them: blanks part them, single quotes keep them together. */
const wordsOf = (line: string): string[] => [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain!)

type Answer = { status: number; body: string }

const byCurl = (words: readonly string[]): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const args = ['--silent', '--show-error', '--max-time', '40', '--write-out', '\n%{http_code}', ...words.slice(1)]
    execFile('curl', args, { maxBuffer: 10_000_000 }, (error, out) => {
      const isOver = error === null || error.code === 28 // 28: its own time was over, as one reads a stream
      const [, body = '', status] = /^([\s\S]*)\n(\d{3})$/.exec(out) ?? []
      if (isOver && status !== undefined) resolve({ status: Number(status), body })
      else reject(error ?? new Error(out))
    })
  })

const byFetch = async (words: readonly string[]): Promise<Answer> => {
  const headers: Record<string, string> = {}
  const request: RequestInit = {}
  let seconds = 40
  let address = ''
  for (let place = 1; place < words.length; place++) {
    const word = words[place]!
    if (word === '-X') request.method = words[++place]!
    else if (word === '-N') continue
    else if (word === '-m') seconds = Number(words[++place])
    else if (word === '-H') {
      const [name, value] = words[++place]!.split(': ')
      headers[name!] = value!
    } else if (word === '--json') {
      request.method ??= 'POST'
      request.body = words[++place]!
      headers['content-type'] = 'application/json'
    } else address = word
  }
  const response = await fetch(address, { ...request, headers, signal: AbortSignal.timeout(seconds * 1_000) })
  let body = ''
  try {
    for await (const piece of response.body!.pipeThrough(new TextDecoderStream())) body += piece
  } catch (error) {
    if ((error as Error).name !== 'TimeoutError') throw error
  }
  return { status: response.status, body }
}

onEachStore('every row of the table of intents, over HTTP', (store) => {
  let world: TradingWorld
  before(async () => {
    world = await startTradingWorld(store(), { cash: cashOfTheLines })
  })
  after(() => world?.stop())
  const ask = curlIsHere() ? byCurl : byFetch
  let orderRef: string | undefined
  /** As the shell of whoever looked at the open orders would have it. */
  const filledIn = async (line: string): Promise<string[]> => {
    if (line.includes('$ORDER_REF') && orderRef === undefined) {
      const [open] = (await (await fetch(`${world.address}/documents/positions/paper/openOrders`)).json()) as { path: string }[]
      orderRef = open!.path.split('/').at(-1)!
    }
    return wordsOf(line.replace('http://localhost:8080', world.address).replace('$ORDER_REF', orderRef ?? ''))
  }
  const exists = ({ intent }: CurlLine): boolean => intent === undefined || intent in intents || intent in world.strategies

  for (const each of curlLines)
    it(`${each.line.replace('http://localhost:8080', '')} → ${each.status}`, async () => {
      const { status, body } = await ask(await filledIn(each.line))
      if (!exists(each)) {
        expect([status, JSON.parse(body).code], body).to.deep.equal([404, 'COMMAND_UNKNOWN'])
        return
      }
      expect(status, body).to.equal(each.status)
      for (const pattern of [each.says].flat()) expect(inOrder(body)).to.match(pattern)
    })

  it('is read the same way without curl', async () => {
    for (const each of curlLines.filter(({ intent }) => intent === undefined)) {
      const words = wordsOf(each.line.replace('http://localhost:8080', world.address))
      expect((await byFetch(words)).status, each.line).to.equal(each.status)
    }
  })

  it('has a line for every intent and every strategy of the project', () => {
    const asked = new Set(curlLines.map(({ intent }) => intent))
    expect([...Object.keys(intents), ...Object.keys(world.strategies)].filter((type) => !asked.has(type))).to.deep.equal([])
  })

  it('is what the README shows', () => {
    const readme = readFileSync(fileURLToPath(new URL('../../../README.md', import.meta.url)), 'utf8')
    const shown = [...readme.matchAll(/^\s*\$? ?(curl .*localhost:8080.*)$/gm)].map(([, line]) => line!.replace(/ +#.*$/, '').trim())
    expect(shown.filter((line) => !curlLines.some((each) => each.line === line))).to.deep.equal([])
    const told = new Set(curlLines.flatMap(({ intent, line }) => (intent !== undefined && shown.includes(line) ? [intent] : [])))
    expect(Object.keys(intents).filter((intent) => !told.has(intent))).to.deep.equal([])
  })
})
