/** Which account may this engine trade? Decided after every connect, before anything is asked or sent. */

export type AccountChoice = { account: string } | { mismatch: string }

/**
 * @param wanted the account named by IB_ACCOUNT, if any
 * @param fixed the account of the journal, once its first connection has fixed it
 * @param managed the accounts of the login, as the gateway lists them
 */
export const chooseAccount = (
  mode: 'paper' | 'live',
  { wanted, fixed, managed }: { wanted: string | undefined; fixed: string | null; managed: readonly string[] },
): AccountChoice => {
  const mismatch = (text: string): AccountChoice => ({ mismatch: `ACCOUNT_MISMATCH: ${text}` })
  const list = managed.length === 0 ? 'none' : managed.join(', ')
  if (wanted !== undefined && fixed !== null && wanted !== fixed)
    return mismatch(`IB_ACCOUNT is ${wanted}, but this journal belongs to ${fixed}; another account needs another journal`)
  if (mode === 'live' && wanted === undefined) return mismatch('live trading needs IB_ACCOUNT to be set')
  const account = wanted ?? fixed ?? (managed.length === 1 ? managed[0] : undefined)
  if (account === undefined) return mismatch(`the login manages several accounts (${list}); set IB_ACCOUNT to one of them`)
  if (!managed.includes(account)) return mismatch(`account ${account} is not managed by this login (it has ${list})`)
  if (mode === 'paper' && !account.startsWith('D')) return mismatch(`paper trading accepts only accounts that begin with D, not ${account}`)
  if (mode === 'live' && account.startsWith('D')) return mismatch(`${account} is a paper account; live trading does not accept it`)
  return { account }
}
