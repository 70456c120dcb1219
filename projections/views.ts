/** All views, in the order in which their writes are made. They are independent of one another. */
import { activityView } from './activity.ts'
import { commandsView } from './commands.ts'
import { configurationView } from './configuration.ts'
import { executionsView } from './executions.ts'
import { holdingsView } from './holdings.ts'
import { openOrdersView } from './open-orders.ts'
import { portfolioView } from './portfolio.ts'
import { profitView } from './profit.ts'
import { statusView } from './status.ts'
import { strategiesView } from './strategies.ts'
import type { View } from './view.ts'

export const views: readonly View[] = [
  configurationView,
  strategiesView,
  portfolioView,
  holdingsView,
  profitView,
  openOrdersView,
  executionsView,
  commandsView,
  activityView,
  statusView,
]
