import { Command, Option } from 'commander'
import { barsFile, wholeNumber } from '../arguments.ts'
import { usualDays } from './plan.ts'
import { type DemoArguments, runDemo } from './run.ts'

export const demo = (): Command =>
  new Command('demo')
    .description('Live through months of recorded trading days on a simulated gateway, then prove that all of it adds up.')
    .option('--days <number>', `number of New York sessions (default: ${usualDays})`, wholeNumber(1, 5_000))
    .option('--start <date>', 'first day, such as 2020-02-03 (default: so that the last day is the last with bars)')
    .option('--bars <SYMBOL=file.csv>', 'bars of your own in place of the built-in ones; may be repeated', barsFile)
    .option('--seed <number>', 'another course of each day between its open, high, low and close', wholeNumber(0), 1)
    .addOption(
      new Option('--store <store>', "where the data lives; google is Google's emulators, never a real project")
        .choices(['embedded', 'google'])
        .default('embedded'),
    )
    .option('--keep [folder]', 'leave the data there (demo-data), to look into it')
    .addHelpText(
      'after',
      `
Each day five minutes after the close the schedule publishes orchestrator: the strategies give signals, reconcile takes the
account's state, the commander decides, orders go out, fill at the next open, and come back as fills. At the end the journal is
verified, all documents are deleted and rebuilt, and books, broker and replayed state are compared.
The same arguments give the same journal, hash for hash, on either store. Nothing but Node is needed: no account, no cloud.
--store google starts Google's emulators of Pub/Sub and Firestore (from the gcloud command-line tool, with Java), or uses those
that PUBSUB_EMULATOR_HOST and FIRESTORE_EMULATOR_HOST name, and runs the same demo through the genuine clients.

Bars: SPY is the S&P 500 index ÷ 10, VIXY is synthetic. Files have the header date,open,high,low,close,volume.

Examples:
  $ npx ibt demo
  $ npx ibt demo --start 2008-09-02 --days 60
  $ npx ibt demo --store google --days 30
  $ npx ibt demo --bars SPY=spy.csv --bars VIXY=vixy.csv
  $ npx ibt demo --days 20 --keep && DATA_DIR=demo-data npx ibt journal | tail -1`,
    )
    .action((options: DemoArguments) => runDemo(options))
