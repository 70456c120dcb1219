/** Documents over HTTP: one, a collection, and a long collection page by page. */
import { expect } from 'chai'
import { type ServerInHand, startServer } from './server-in-hand.ts'

describe('documents over HTTP', () => {
  let world: ServerInHand
  before(async () => {
    world = await startServer()
    const writes = Array.from({ length: 7 }, (_, number) => ({
      kind: 'set' as const,
      path: `activity/${String(number + 1).padStart(12, '0')}`,
      data: { number: number + 1 },
    }))
    await world.documents.write('views', writes, { position: 7, hash: 'a'.repeat(64) }, undefined)
  })
  after(() => world.server.stop())

  const ask = async (url: string) => {
    const answer = await world.ask({ method: 'GET', url })
    const found = answer.json() as { data: { number: number } }[]
    return { ...answer, numbers: Array.isArray(found) ? found.map(({ data }) => data.number) : undefined, link: answer.headers['link'] }
  }

  it('are all there where they fit into one page', async () => {
    const { numbers, link } = await ask('/documents/activity')
    expect([numbers, link]).to.deep.equal([[1, 2, 3, 4, 5, 6, 7], undefined])
    expect((await world.ask({ method: 'GET', url: '/documents/activity/000000000003' })).json()).to.deep.equal({ number: 3 })
  })

  it('come page by page, each naming the next one until there is none', async () => {
    const seen: (number[] | undefined)[] = []
    for (let url: string | undefined = '/documents/activity?limit=3'; url !== undefined; ) {
      const { numbers, link } = await ask(url)
      seen.push(numbers)
      url = /^<(.+)>; rel="next"$/.exec(String(link))?.[1]
    }
    expect(seen).to.deep.equal([[1, 2, 3], [4, 5, 6], [7]])
    expect((await ask('/documents/activity?after=000000000005')).numbers).to.deep.equal([6, 7])
    expect((await ask('/documents/activity?limit=7')).link, 'a last page that is full').to.equal(undefined)
  })

  it('name what is wrong with the address, and ignore nothing', async () => {
    for (const query of ['limit=0', 'limit=1001', 'limit=x', 'limit=1&limit=2', 'after=', 'after=a/b', 'lim=3']) {
      const answer = await world.ask({ method: 'GET', url: `/documents/activity?${query}` })
      expect([answer.statusCode, answer.json().code], query).to.deep.equal([400, 'REQUEST_INVALID'])
    }
  })
})
