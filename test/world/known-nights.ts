/** Nights that failed once, by their seeds, and why. They are lived through again in every run of the tests. */
export const knownNights: readonly { seed: string; failed: string }[] = [
  { seed: 'one.3609', failed: 'a person called an order lost whose fill stood unexplained, and it was believed' },
  { seed: 'two.6031', failed: 'an edit by hand that still stood was published anew a day later, and was called late' },
  { seed: 'two.942', failed: 'a day’s end that leaves nothing over night closed the books, and nobody was thought to have asked for it' },
  {
    seed: '1.1122',
    failed: 'a leap of time fell between what an answer said of executions and its end, and the answer was believed to be younger',
  },
  { seed: '1.119', failed: 'an order whose last execution was corrected to less was called filled by the broker, and nobody asked again' },
  {
    seed: 'two.1529',
    failed: 'a halt that was published twice was taken for the later one, and a resume between the two was called too early',
  },
  {
    seed: 'three.6271',
    failed: 'an answer named an order among the open ones whose last execution it brought, and the journal called it returned',
  },
]
