import { expect } from 'chai'
import { codeOf } from '../../../infra/ib/socket.ts'

const error = (code: string) => Object.assign(new Error(code), { code })
/** As Node raises it for a name with several addresses: the code of the first, and no message. */
const several = (...codes: string[]) => Object.assign(new AggregateError(codes.map(error)), { code: codes[0]! })

describe('how a connection failed', () => {
  it('is what the socket says', () => {
    expect(codeOf(error('ECONNREFUSED'))).to.equal('ECONNREFUSED')
  })

  it('is refused only when every address of a name refuses', () => {
    expect(codeOf(several('ECONNREFUSED', 'ECONNREFUSED'))).to.equal('ECONNREFUSED')
    expect(codeOf(several('ECONNREFUSED', 'ETIMEDOUT'))).to.equal('SEVERAL')
  })
})
