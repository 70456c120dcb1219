/** Prints what topics.yaml makes in a project for a trading mode, a line each with its kind: for the tear-down, in the order of deletion. */
import { wanted } from '../../google/topics/wanted.ts'
import { readTopics } from '../../topics-file.ts'

const [mode] = process.argv.slice(2)
if (mode !== 'paper' && mode !== 'live') throw new Error('the trading mode must be paper or live')
for (const { kind, name } of wanted(readTopics(), { mode, location: 'any' }).reverse()) console.log(kind, name)
