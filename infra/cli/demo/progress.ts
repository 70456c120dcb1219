/** How far the demo is: a bar on a terminal, and a line a day wherever standard output goes. */
import { MultiBar, Presets } from 'cli-progress'
import { printLine } from '../output.ts'

export type Progress = {
  /** One line of the story, above the bar. */
  line(text: string): void
  step(): void
  end(): void
}

export const openProgress = (days: number): Progress => {
  if (!process.stderr.isTTY) return { line: printLine, step: () => {}, end: () => {} }
  const bars = new MultiBar(
    {
      format: '{bar} {value}/{total} days, {eta_formatted} left',
      stream: process.stderr,
      hideCursor: true,
      gracefulExit: true,
      linewrap: true,
    },
    Presets.shades_grey,
  )
  const bar = bars.create(days, 0)
  return {
    line: (text) => (process.stdout.isTTY ? bars.log(`${text}\n`) : printLine(text)),
    step: () => bar.increment(),
    end: () => {
      bars.update() // lines that it has not drawn yet would be lost
      bars.stop()
    },
  }
}
