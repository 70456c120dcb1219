/** Who may do what: three roles, each may do all that the one before it may. */
export const roles = ['viewer', 'trader', 'admin'] as const
/** `viewer` reads, `trader` publishes intents, `admin` changes what all of them stand on. */
export type Role = (typeof roles)[number]
/**
 * `actor`: an e-mail address that its issuer has verified, else the subject of the token; `local` where nobody is asked.
 * `until`: wall time in epoch milliseconds at which his token is over; absent where there is none.
 */
export type Caller = { actor: string; role: Role; until?: number }

export const isRole = (value: unknown): value is Role => roles.some((role) => role === value)

export const atLeast = (role: Role, needed: Role): boolean => roles.indexOf(role) >= roles.indexOf(needed)

/** Who trades must not also set the limits, nor say by hand what became of an order or a holding; halting is everybody's who trades. */
const forAdmins: ReadonlySet<string> = new Set(['configure', 'resume', 'resolve-order', 'explain'])
const forViewers: ReadonlySet<string> = new Set(['summary'])

/** The role that an intent needs, by its canonical type; a strategy's id is one too. */
export const roleForIntent = (type: string): Role => (forAdmins.has(type) ? 'admin' : forViewers.has(type) ? 'viewer' : 'trader')

/** The role that a whole command needs: who counts peaks anew lifts a limit. */
export const roleForCommand = (type: string, body: unknown): Role =>
  type === 'risk-check' && (body as { resetPeaks?: unknown } | null)?.resetPeaks === true ? 'admin' : roleForIntent(type)
