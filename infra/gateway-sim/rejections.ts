/** The words with which the gateway refuses: the codes and texts are IB's. */
/** `advanced` is IB's JSON that goes with some rejections of orders. */
export type Rejection = { code: number; text: string; advanced?: string }

export const unknownContract: Rejection = { code: 200, text: 'No security definition has been found for the request' }
export const duplicateId: Rejection = { code: 103, text: 'Duplicate order id' }
export const offTick: Rejection = { code: 110, text: 'The price does not conform to the minimum price variation for this contract.' }
export const incompatible: Rejection = { code: 111, text: 'The TIF (Tif type) and the order type are incompatible.' }
export const notForThatAuction: Rejection = { code: 113, text: 'The Tif option should be set to DAY for MOC and LOC orders.' }
export const noPermission: Rejection = { code: 460, text: 'No trading permissions.' }
export const readOnly: Rejection = {
  code: 321,
  text: "Error validating request.-'bW' : cause - The API interface is currently in Read-Only mode.",
}
export const rejected = (reason: string): Rejection => ({ code: 201, text: `Order rejected - reason:${reason}` })
export const invalid = (cause: string): Rejection => ({ code: 321, text: `Error validating request.-'bW' : cause - ${cause}` })
