import type { Bus, Delivery } from '../../domain/ports/bus.ts'

/** The bus, with something else in what it delivers. */
export const changing = (bus: Bus, change: (delivery: Delivery) => Partial<Delivery>): Bus => ({
  ...bus,
  subscribe: (subscription, consume) => bus.subscribe(subscription, (delivery) => consume({ ...delivery, ...change(delivery) })),
})
