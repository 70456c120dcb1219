import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect } from 'chai'
import { ibt, temporaryFolder } from './ibt.ts'

describe('the verbs that look into a store', function () {
  this.timeout(180_000)
  const folder = temporaryFolder()
  const kept = join(folder.path, 'kept')
  const DATA_DIR = kept
  const look = (...args: string[]) => ibt(args, { DATA_DIR })

  /** A copy of the store, changed by hand. */
  const altered = (name: string, ...statements: string[]): string => {
    const path = join(folder.path, name)
    mkdirSync(path)
    copyFileSync(join(kept, 'paper.sqlite'), join(path, 'paper.sqlite'))
    const database = new DatabaseSync(join(path, 'paper.sqlite'))
    for (const statement of statements) database.exec(statement)
    database.close()
    return path
  }

  before(async () => {
    const { code, errors } = await ibt(['demo', '--days', '3', '--keep', kept])
    expect(code, errors).to.equal(0)
  })
  after(folder.remove)

  it('journal prints a line a commit, each hash that of the text without it, chained', async () => {
    const { code, out, errors } = await look('journal')
    expect([code, errors]).to.deep.equal([0, ''])
    let previousHash = '0'.repeat(64)
    for (const [place, line] of out.trimEnd().split('\n').entries()) {
      const commit = JSON.parse(line)
      expect(commit.position).to.equal(place + 1)
      expect(commit.previousHash).to.equal(previousHash)
      const text = line.replace(`,"hash":"${commit.hash}"}`, '}')
      expect(createHash('sha256').update(text).digest('hex')).to.equal(commit.hash)
      previousHash = commit.hash
    }
    const types = out.match(/"type":"[A-Z]\w+/g)!.map((match) => match.slice(8))
    expect(types).to.include.members(['EngineStarted', 'SignalGenerated', 'AllocationDecided', 'OrderPlanned', 'FillReceived'])
  })

  it('journal --from begins there, and is empty beyond the end', async () => {
    const [all, some, none] = await Promise.all([look('journal'), look('journal', '--from', '5'), look('journal', '--from', '100000')])
    expect(some.out).to.equal(all.out.split('\n').slice(4).join('\n'))
    expect([none.code, none.out]).to.deep.equal([0, ''])
  })

  it('journal refuses a position that is none', async () => {
    for (const from of ['0', '-1', 'x', '1.5']) {
      const { code, out, errors } = await look('journal', `--from=${from}`)
      expect([code, out]).to.deep.equal([1, ''])
      expect(errors).to.contain('--from')
    }
  })

  it('document prints one document, and says when there is none', async () => {
    const status = await look('document', 'status/paper')
    expect(status.code).to.equal(0)
    expect(JSON.parse(status.out)).to.deep.include({ mode: 'paper', account: 'DU1234567' })
    const none = await look('document', 'status/nowhere')
    expect(none).to.deep.equal({ code: 1, out: '', errors: 'ibt: there is no document status/nowhere\n' })
    const odd = await look('document', 'status')
    expect([odd.code, odd.errors]).to.deep.equal([
      1,
      `ibt: "status" is not a document path: it needs an even number of segments, such as "status/paper"\n`,
    ])
  })

  it('documents prints a collection', async () => {
    const { code, out } = await look('documents', 'commands')
    expect(code).to.equal(0)
    const paths = (JSON.parse(out) as { path: string; data: object }[]).map(({ path }) => path)
    expect(paths).to.include.members(['commands/demo-configure', 'commands/demo-resume', 'commands/orchestrator@2020-04-17T20:05:00Z'])
    const none = await look('documents', 'nothing')
    expect([none.code, JSON.parse(none.out)]).to.deep.equal([0, []])
  })

  it('replay prints the state, also as it was', async () => {
    const [now, then, beyond] = await Promise.all([look('replay'), look('replay', '--to', '4'), look('replay', '--to', '100000')])
    expect(JSON.parse(now.out)).to.deep.include({ account: 'DU1234567', mode: 'paper' })
    expect(JSON.parse(then.out)).to.deep.include({ position: 4, orders: {} })
    expect([beyond.code, beyond.out]).to.deep.equal([1, ''])
    expect(beyond.errors).to.match(/^ibt: --to: the journal ends at position \d+\n$/)
  })

  it('verify says that all is sound', async () => {
    const { code, out } = await look('verify')
    expect(code).to.equal(0)
    const last = JSON.parse((await look('journal')).out.trimEnd().split('\n').at(-1)!)
    expect(JSON.parse(out)).to.deep.include({ ok: true, commits: last.position, head: { position: last.position, hash: last.hash } })
  })

  it('verify names the commit that was changed', async () => {
    const path = altered('changed', `UPDATE commits SET json = replace(json, '"quantity":"', '"quantity":"9') WHERE position = 20`)
    const changed = new DatabaseSync(join(path, 'paper.sqlite')).prepare('SELECT json FROM commits WHERE position = 20').get()
    const original = (await look('journal', '--from', '20')).out.split('\n')[0]!
    if (original.startsWith(String(changed!['json']).slice(0, -1))) throw new Error('commit 20 holds no quantity: the test changes nothing')
    const { code, errors } = await ibt(['verify'], { DATA_DIR: path })
    expect([code, errors]).to.deep.equal([1, 'ibt: commit 20 was altered: its text does not give its hash\n'])
  })

  it('verify sees an end that was cut off', async () => {
    const path = altered('cut', 'DELETE FROM commits WHERE position > 10')
    const { code, errors } = await ibt(['verify'], { DATA_DIR: path })
    expect(code).to.equal(1)
    expect(errors).to.match(/^ibt: commit 11 was cut off: checkpoints\/views has seen commit \d+\n$/)
  })

  it('verify sees documents that say something else, and rebuild puts them right, writing only those', async () => {
    const path = altered(
      'documents',
      `UPDATE documents SET json = '{}' WHERE path = 'status/paper'`,
      `DELETE FROM documents WHERE path = 'commands/demo-resume'`,
      `INSERT INTO documents VALUES ('notes/mine', 'notes', '{}')`,
    )
    const wrong = await ibt(['verify'], { DATA_DIR: path })
    expect(wrong.code).to.equal(1)
    expect(wrong.errors).to.contain('different: status/paper; missing: commands/demo-resume; extra: notes/mine')
    const rebuilt = await ibt(['rebuild'], { DATA_DIR: path })
    expect(rebuilt.code).to.equal(0)
    expect(JSON.parse(rebuilt.out)).to.deep.include({ written: 2, deleted: 1 })
    expect((await ibt(['verify'], { DATA_DIR: path })).code).to.equal(0)
    expect(JSON.parse((await ibt(['rebuild'], { DATA_DIR: path })).out)).to.deep.include({ written: 0, deleted: 0 })
  })

  it('agree shows both differences of a decision, and is content only when they are the same', async () => {
    const lines = (await look('journal')).out.trimEnd().split('\n')
    const decided = lines.filter((line) => line.includes('"type":"AllocationDecided"')).map((line) => JSON.parse(line).cause)
    const ids = new Set<string>(decided.map(({ pipeline, id }) => pipeline ?? id))
    const answers = await Promise.all([...ids].slice(0, 2).map((id) => look('agree', id)))
    for (const { code, out, errors } of answers) {
      const { agree, lines } = JSON.parse(out)
      expect([code, agree]).to.deep.equal(agree ? [0, true] : [1, false])
      expect(agree).to.equal(lines.every((line: { agree: boolean }) => line.agree))
      for (const line of lines) {
        if (line.agree && line.proposed_delta !== null) expect(line.proposed_delta).to.equal(line.decided_difference + line.in_flight)
        if (!line.agree) expect(line.why, errors).not.to.deep.equal([])
      }
      if (!agree) expect(errors).to.match(/^ibt: \d+ of \d+ differ: /)
    }
    expect(answers.some(({ out }) => JSON.parse(out).lines.length > 0)).to.equal(true)
  })

  it('agree names an execution that there is not', async () => {
    const { code, out, errors } = await look('agree', 'nothing')
    expect([code, out, errors]).to.deep.equal([1, '', 'ibt: no decision was made for "nothing"\n'])
  })

  it('dead-letters is empty where nothing was given up', async () => {
    expect(await look('dead-letters')).to.deep.equal({ code: 0, out: '', errors: '' })
  })

  it('creates nothing where there is no store, and says which file is missing', async () => {
    const nowhere = join(folder.path, 'nowhere')
    const verbs = [['journal'], ['document', 'a/b'], ['documents', 'a'], ['replay'], ['rebuild'], ['verify'], ['dead-letters']]
    const answers = await Promise.all(verbs.map((verb) => ibt(verb, { DATA_DIR: nowhere })))
    for (const { code, out, errors } of answers) {
      expect([code, out]).to.deep.equal([1, ''])
      expect(errors).to.match(new RegExp(`^ibt: there is no store at ${nowhere}/paper.sqlite: [^\n]*\n$`))
    }
    expect(existsSync(nowhere)).to.equal(false)
    expect((await ibt(['journal'], { DATA_DIR, TRADING_MODE: 'live' })).errors).to.contain('live.sqlite')
  })

  it('names a variable that is wrong', async () => {
    const { code, errors } = await ibt(['verify'], { DATA_DIR, TRADING_MODE: 'dry' })
    expect([code, errors]).to.deep.equal([1, 'ibt: TRADING_MODE: must be paper or live, got "dry"\n'])
  })
})
