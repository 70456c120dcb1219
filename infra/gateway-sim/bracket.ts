/** Parents and children: an order whose `parentId` names another waits until that one is filled, and is cancelled with it. */
import type { Book, Order } from './book.ts'

export const parentOf = (book: Book, order: Order): Order | undefined =>
  order.parentId === 0 ? undefined : book.order(order.clientId, order.parentId)

export const childrenOf = (book: Book, order: Order): Order[] =>
  order.orderId === 0 ? [] : book.orders.filter((child) => child.clientId === order.clientId && child.parentId === order.orderId)

export const waitsForParent = (book: Book, order: Order): boolean => {
  const parent = parentOf(book, order)
  return parent !== undefined && parent.status !== 'Filled'
}

/**
 * The orders that go out together when this one is transmitted, in the order of their ids: itself, its parents as far as they are
 * held, and its siblings that are. A parent does not take its children along.
 */
export const transmittedWith = (book: Book, order: Order): Order[] => {
  const together = new Set([order])
  for (let parent = parentOf(book, order); parent && !together.has(parent); parent = parentOf(book, parent)) {
    if (parent.status === 'ApiPending') together.add(parent)
    for (const sibling of childrenOf(book, parent)) if (sibling.status === 'ApiPending') together.add(sibling)
  }
  return [...together].sort((one, other) => one.orderId - other.orderId)
}
