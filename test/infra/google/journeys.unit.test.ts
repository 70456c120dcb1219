import { expect } from 'chai'
import { followJourneys } from '../../../infra/google/journeys.ts'

describe('the journeys of messages that a process publishes to itself', () => {
  const publication = () => {
    let done: (id: string) => void = () => {}
    let failed: (error: Error) => void = () => {}
    const published = new Promise<string>((resolve, reject) => {
      done = resolve
      failed = reject
    })
    return { published, done, failed }
  }

  it('last from the publication to the arrival at every reader', async () => {
    const journeys = followJourneys()
    const { published, done } = publication()
    const begun = journeys.begin(
      () => ['engine', 'audit'],
      () => published,
    )
    expect(journeys.any()).to.equal(true)
    done('7')
    expect(await begun).to.equal('7')
    journeys.end('engine', '7')
    expect(journeys.any()).to.equal(true)
    journeys.end('audit', '8')
    expect(journeys.any()).to.equal(true)
    journeys.end('audit', '7')
    expect(journeys.any()).to.equal(false)
  })

  it('are over when the message arrives before it is known to be published', async () => {
    const journeys = followJourneys()
    const { published, done } = publication()
    const begun = journeys.begin(
      () => ['engine'],
      () => published,
    )
    journeys.end('engine', '7')
    expect(journeys.any()).to.equal(true)
    done('7')
    await begun
    expect(journeys.any()).to.equal(false)
  })

  it('are none where nobody reads, where the publication failed, and where the reader has gone', async () => {
    const journeys = followJourneys()
    await journeys.begin(
      () => [],
      async () => '1',
    )
    expect(journeys.any()).to.equal(false)
    const { published, failed } = publication()
    const begun = journeys.begin(
      () => ['engine'],
      () => published,
    )
    failed(new Error('out of reach'))
    expect(await begun.catch((error: Error) => error.message)).to.equal('out of reach')
    expect(journeys.any()).to.equal(false)
    await journeys.begin(
      () => ['engine', 'audit'],
      async () => '2',
    )
    journeys.forget('engine')
    expect(journeys.any()).to.equal(true)
    journeys.forget('audit')
    expect(journeys.any()).to.equal(false)
  })
})
