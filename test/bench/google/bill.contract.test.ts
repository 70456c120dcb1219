/** The counting itself: what is done here through the genuine clients is what the bill says. */
import { FieldPath } from '@google-cloud/firestore'
import { expect } from 'chai'
import { until } from '../../contract/until.ts'
import { usesEmulators } from '../../emulators.ts'
import { googleClients } from '../../infra/google/clients.ts'
import { type FirestoreBill, type PubSubBill, startFirestoreBill, startPubSubBill, sumOf } from './bill.ts'

describe('the bill', function () {
  this.timeout(180_000)
  const emulators = usesEmulators()
  let bill: FirestoreBill
  let mail: PubSubBill
  let clients: ReturnType<typeof googleClients>
  beforeEach(async () => {
    bill = await startFirestoreBill(emulators.hosts().firestore)
    mail = await startPubSubBill(emulators.hosts().pubsub)
    const store = emulators.store()
    clients = googleClients({ ...store, emulators: { ...store.emulators!, pubsub: mail.host } })
  })
  afterEach(async () => {
    await clients.close()
    await Promise.all([bill.close(), mail.close()])
  })

  it('has a write for each document of a commit, a delete for each that goes, and nothing for a commit that failed', async () => {
    const { firestore } = clients.connect(bill.host)
    const first = firestore.doc('things/1')
    await firestore.batch().create(first, { a: 1 }).set(firestore.doc('checkpoints/x'), { a: 1 }).commit()
    await first.create({ a: 2 }).catch(() => undefined)
    await first.update({ a: 3 })
    await first.delete()
    expect(sumOf(bill.operations)).to.deep.equal({ reads: 0, writes: 3, deletes: 1 })
    expect(sumOf(bill.operations, (path) => path === 'things/1')).to.deep.equal({ reads: 0, writes: 2, deletes: 1 })
    expect(bill.calls()).to.equal(4)
  })

  it('has a read for each document found, missing, listed or queried, and one where a query finds nothing', async () => {
    const { firestore } = clients.connect(bill.host)
    const things = firestore.collection('things')
    await Promise.all(['1', '2', '3'].map((id) => things.doc(id).set({ a: 1 })))
    const readsOf = async (work: () => Promise<unknown>): Promise<number> => {
      const before = sumOf(bill.operations).reads
      await work()
      return sumOf(bill.operations).reads - before
    }
    expect(await readsOf(() => things.doc('1').get())).to.equal(1)
    expect(await readsOf(() => things.doc('9').get())).to.equal(1)
    expect(await readsOf(() => firestore.getAll(things.doc('1'), things.doc('9')))).to.equal(2)
    expect(await readsOf(() => things.get())).to.equal(3)
    expect(await readsOf(() => things.orderBy(FieldPath.documentId()).startAt('5').get())).to.equal(1)
    expect(await readsOf(() => things.listDocuments())).to.equal(3)
  })

  it('has a read for all that a listener hears, also for hearing that nothing is there', async () => {
    const { firestore } = clients.connect(bill.host)
    const thing = firestore.doc('things/1')
    let heard = 0
    const end = thing.onSnapshot(() => {
      heard += 1
    })
    await until('the listener heard that there is nothing', () => heard === 1)
    expect(sumOf(bill.operations).reads).to.equal(1)
    await thing.set({ a: 1 })
    await until('the listener heard the change', () => heard === 2)
    expect(sumOf(bill.operations)).to.deep.equal({ reads: 2, writes: 1, deletes: 0 })
    end()
  })

  it('has the volume of messages, published and delivered, a request at least 1,000 bytes', async () => {
    const { pubsub } = clients.connect()
    const [topic] = await pubsub.createTopic('mail')
    const [subscription] = await topic.createSubscription('reader')
    await topic.publishMessage({ data: Buffer.from('short'), attributes: { type: 'a' } })
    expect(mail.published).to.deep.equal({ messages: 1, bytes: 1_000 })
    let received = 0
    subscription.on('message', (message) => {
      message.ack()
      received += 1
    })
    await until('the message came', () => received === 1)
    const id = await topic.publishMessage({ data: Buffer.alloc(2_000), attributes: { type: 'a' } })
    await until('the second one came', () => received === 2)
    expect(mail.published.bytes).to.equal(1_000 + 2_000 + 'typea'.length + 20)
    expect(mail.delivered).to.deep.equal({ messages: 2, bytes: mail.published.bytes + id.length })
    await subscription.close()
  })
})
