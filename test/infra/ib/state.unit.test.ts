import { expect } from 'chai'
import * as fc from 'fast-check'
import { type Input, initialState, type State, sentence, step } from '../../../infra/ib/state.ts'

const minute = 60_000
type Timed = [at: number, input: Input]

/** Takes the inputs at their times. @returns the phases it went through and all it said */
const live = (...inputs: Timed[]) => {
  let state: State = initialState(0)
  const phases: string[] = [state.phase]
  const said: { at: number; tell: string; alert: boolean }[] = []
  for (const [at, input] of inputs) {
    const { state: next, told } = step(state, input, at)
    state = next
    if (phases.at(-1) !== state.phase) phases.push(state.phase)
    if (told !== undefined) said.push({ at, ...told })
  }
  return { state, phases, said }
}

describe('the state of a session', () => {
  const connected: Timed[] = [
    [0, { kind: 'attempt' }],
    [10, { kind: 'handshake' }],
    [20, { kind: 'answered' }],
  ]

  it('is ready only after handshake and answers', () => {
    const { phases, said, state } = live(...connected)
    expect(phases).to.deep.equal(['down', 'connecting', 'syncing', 'ready'])
    expect(said).to.deep.equal([])
    expect(state.trouble).to.equal(undefined)
    expect(live([0, { kind: 'attempt' }], [5, { kind: 'answered' }]).state.phase).to.equal('connecting')
  })

  it('asks anew after 1101 or 1102, and after a message that could not be read', () => {
    const down: Timed = [30, { kind: 'linkDown', text: 'the gateway has lost IB' }]
    expect(live(...connected, down).phases.at(-1)).to.equal('degraded')
    expect(live(...connected, down, [35, { kind: 'answered' }]).state.phase).to.equal('degraded')
    expect(live(...connected, down, [40, { kind: 'linkUp' }], [50, { kind: 'answered' }]).phases.slice(-3)).to.deep.equal([
      ...['degraded', 'syncing', 'ready'],
    ])
    expect(live(...connected, [30, { kind: 'doubt' }]).state.phase).to.equal('syncing')
  })

  it('tells a cause with a text of its own at once, and once', () => {
    const inUse: Input = { kind: 'failed', cause: 'clientIdInUse', text: 'the client id is in use' }
    const { said } = live([0, { kind: 'attempt' }], [1, inUse], [2, { kind: 'attempt' }], [3, inUse], [4, { kind: 'attempt' }])
    expect(said).to.deep.equal([{ at: 1, tell: 'the client id is in use', alert: false }])
  })

  it('says nothing of a gateway that is back within its time', () => {
    const lost: Input = { kind: 'failed', cause: 'lost', text: 'gone' }
    const back: Timed[] = [
      [minute - 2, { kind: 'handshake' }],
      [minute - 1, { kind: 'answered' }],
    ]
    const { said, state } = live(...connected, [30, lost], [40, { kind: 'time' }], ...back, [2 * minute, { kind: 'time' }])
    expect(said).to.deep.equal([])
    expect(state.phase).to.equal('ready')
  })

  it('alerts when it lasts, and again each time it has lasted four times as long', () => {
    const refused: Input = { kind: 'failed', cause: 'refused', text: 'nobody listens' }
    const days: Timed[] = Array.from({ length: 3 * 24 * 60 }, (_, index) => [(index + 1) * minute, { kind: 'time' }])
    const { said } = live([0, { kind: 'attempt' }], [0, refused], ...days)
    expect(said.every(({ alert }) => alert)).to.equal(true)
    expect(said.map(({ at }) => at / minute)).to.deep.equal([1, 4, 16, 64, 256, 1024, 4096])
    expect(said[0]!.tell).to.equal('nobody listens; for 1 min now')
    expect(said.at(-1)!.tell).to.equal('nobody listens; for 68 h now')
  })

  it('counts from the beginning of the trouble, whatever it is called meanwhile', () => {
    const { said } = live(
      ...connected,
      [minute, { kind: 'failed', cause: 'restart', text: 'restarting' }],
      [minute + 1, { kind: 'attempt' }],
      [7 * minute - 1, { kind: 'time' }],
      [7 * minute + 1, { kind: 'failed', cause: 'refused', text: 'nobody listens' }],
    )
    expect(said.map(({ tell }) => tell)).to.deep.equal(['restarting', 'nobody listens; for 6 min now'])
  })

  it('alerts when the questions that come first stay unanswered', () => {
    const { said } = live(...connected.slice(0, 2), [minute, { kind: 'time' }])
    expect(said).to.have.length(1)
    expect(said[0]!.tell).to.contain('has not been answered')
  })

  it('stays closed, and says why', () => {
    const { state, said } = live(
      ...connected,
      [30, { kind: 'close', text: 'the engine stops' }],
      [40, { kind: 'attempt' }],
      [minute * 9, { kind: 'time' }],
    )
    expect(state.phase).to.equal('closed')
    expect(sentence(state)).to.contain('the engine stops')
    expect(said).to.deep.equal([])
  })

  it('is never ready but by answers to questions that began after the last handshake, link or doubt', () => {
    const inputs: Input[] = [
      { kind: 'attempt' },
      { kind: 'handshake' },
      { kind: 'answered' },
      { kind: 'doubt' },
      { kind: 'linkDown', text: 'down' },
      { kind: 'linkUp' },
      { kind: 'failed', cause: 'lost', text: 'lost' },
      { kind: 'time' },
    ]
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...inputs), { maxLength: 30 }), (story) => {
        let state = initialState(0)
        for (const [at, input] of story.entries()) {
          const before = state.phase
          state = step(state, input, at).state
          if (state.phase === 'ready' && before !== 'ready') expect([before, input.kind]).to.deep.equal(['syncing', 'answered'])
          if (state.phase === 'ready') expect(state.trouble).to.equal(undefined)
          else if (state.phase !== 'down') expect(sentence(state)).not.to.equal('')
        }
      }),
    )
  })
})
