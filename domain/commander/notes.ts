/** Every clip, skip and hold of the commander, by code. The numbers beside a note say what it was judged by. */
import type { Note } from '../events.ts'

const texts = {
  // Signals
  SIGNAL_MISSING: 'there was never a signal: the book is held',
  SIGNAL_FAILED: 'the latest signal failed: the book is held',
  SIGNAL_STALE: 'the latest signal is no longer fresh: the book is held',
  BOOK_WITHOUT_STRATEGY: 'the strategy is disabled or gone: its book is held until somebody decides about it',
  STRATEGY_DRY: 'the strategy runs dry, its signals are only recorded: its book is held',
  CLOSING: 'the book is being closed: this decision leaves it alone',
  // Size
  NOT_ALLOCATED: 'no money is allocated: its signals are recorded, not traded',
  ALLOCATION_ZERO: 'exposure × allocation is 0: the standing target counts as 0',
  EXPOSURE_REDUCED: 'exposure × allocation is less than when the target was set: it counts in proportion',
  WEEKEND_FLAT: 'days without a session follow, and the strategy is to be flat over them: the target counts as 0',
  WEIGHTS_SCALED: 'the absolute weights sum to more than 1: scaled to 1',
  PRICE_MISSING: 'no fresh signal has a price: nothing is opened',
  CORPORATE_ACTION_SINCE: 'the signal is older than a corporate action and speaks of other shares: nothing is opened before the next one',
  PRICE_STALE: 'the newest price is older than one session: nothing is opened',
  FX_MISSING: 'the snapshot has no exchange rate of the currency: nothing is opened',
  INSTRUMENT_UNKNOWN: 'the contract was never resolved: nothing can be ordered',
  NOT_TRADABLE: 'an index or a cash pair is no holding: nothing is ordered',
  // Limits
  LIMIT_GROSS: 'the sum of all absolute positions would be above the limit',
  LIMIT_NET: 'long less short would be above the limit',
  OUTSIDE_WINDOW: 'the time window of the strategy is closed: nothing of it increases',
  LIMIT_SINGLE_NAME: 'the absolute position in one instrument would be above the limit',
  LIMIT_DRAWDOWN:
    'more was lost than is allowed: nothing increases, of a dailyDrawdown until the next session begins, of a peakDrawdown until the loss is made good or risk-check is asked with resetPeaks: true',
  LIMIT_POSITIONS: 'more instruments would be held than the limit allows',
  MARKET_PRICE_MISSING: 'a held position has no market price, so the limits cannot be checked: nothing increases',
  // Orders
  IN_FLIGHT: 'what is missing is on its way already',
  RESIDUAL: 'the rest is smaller than the size step',
  BELOW_MINIMUM: 'the difference is below the minimum trade',
  BLOCKED: 'the instrument is blocked',
  CANCEL_FIRST: 'orders the other way are working: they are cancelled first, then it is decided again',
  EXIT_FIRST: 'orders the other way close a book: they go on, and what is wanted here waits for a later decision',
  COLLAR_REDUCTION: 'the market is further from the reference than the collar; a reduction goes out all the same',
  LIMIT_AT_COLLAR: 'the limit offset that was asked for lies beyond the collar: the limit stands at the collar',
  ORDER_NOTIONAL: 'more would be at work in one instrument than one order may be worth: the rest waits for a later decision',
  ORDER_SPLIT: 'the reduction is larger than one order may be: it goes in several',
  VOLUME_SHARE: 'more would be at work than the share of an average day: the rest waits for a later decision',
  VOLUME_UNKNOWN: 'the average volume of the instrument is not known',
  ORDER_RATE: 'more orders than one minute or one day may have: the increase waits for a later decision',
  TRADING_HOURS: 'the auction takes no orders any more, and the broker would not keep it: the increase waits for a later decision',
  COLLAR_OFF: 'a market order was asked for: the collar does not hold for this increase',
} as const

export type NoteCode = keyof typeof texts

type About = { strategy?: string; conId?: number; numbers?: Record<string, string> }

export const note = (code: NoteCode, about: About = {}, detail?: string): Note => ({
  code,
  text: detail === undefined ? texts[code] : `${texts[code]} (${detail})`,
  ...about,
})
