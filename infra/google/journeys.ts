/** Messages between their publication here and their arrival here. A message may arrive before we are told that it is published. */
export const followJourneys = () => {
  const underWay = new Set<string>()
  const arrivedEarly = new Set<string>()
  let publishing = 0
  const key = (subscription: string, id: string) => `${subscription} ${id}`
  return {
    /** @param readers asked when the message is published: those subscriptions at which it will arrive */
    begin: async (readers: () => string[], publish: () => Promise<string>): Promise<string> => {
      publishing += 1
      try {
        const id = await publish()
        for (const reader of readers()) if (!arrivedEarly.has(key(reader, id))) underWay.add(key(reader, id))
        return id
      } finally {
        publishing -= 1
        if (publishing === 0) arrivedEarly.clear()
      }
    },
    end: (subscription: string, id: string): void => {
      if (!underWay.delete(key(subscription, id)) && publishing > 0) arrivedEarly.add(key(subscription, id))
    },
    forget: (subscription: string): void => {
      for (const one of underWay) if (one.startsWith(`${subscription} `)) underWay.delete(one)
    },
    any: () => publishing > 0 || underWay.size > 0,
  }
}
