"""One order's day as ib_async sees it, as JSON on standard output; what its decoder or its log complains of is in `problems`."""
import json
import logging
import sys

from ib_async import IB, LimitOrder, MarketOrder, Stock

problems: list[str] = []


class Keep(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        problems.append(record.getMessage())


log = logging.getLogger("ib_async")
log.addHandler(Keep())
log.propagate = False

ib = IB()
ib.connect("127.0.0.1", int(sys.argv[1]), clientId=1)
spy = ib.qualifyContracts(Stock("SPY", "SMART", "USD"))[0]
details = ib.reqContractDetails(spy)[0]
bars = ib.reqHistoricalData(spy, "", "2 D", "1 day", "TRADES", True)
filled = ib.placeOrder(spy, MarketOrder("BUY", 10, orderRef="first"))
while not filled.isDone() or not filled.fills or not filled.fills[0].commissionReport.execId:
    ib.waitOnUpdate(timeout=5)
waiting = ib.placeOrder(spy, LimitOrder("SELL", 5, 999, orderRef="waits", tif="GTC"))
while waiting.orderStatus.status != "Submitted":
    ib.waitOnUpdate(timeout=5)
open_orders = [[t.order.orderRef, t.order.lmtPrice, t.order.tif] for t in ib.reqAllOpenOrders()]
ib.cancelOrder(waiting.order)
while not waiting.isDone():
    ib.waitOnUpdate(timeout=5)
[ticker] = ib.reqTickers(spy)
told = {
    "version": ib.client.serverVersion(),
    "accounts": ib.managedAccounts(),
    "contract": [spy.conId, details.minTick],
    "bars": [[str(bar.date), bar.close] for bar in bars],
    "fills": [[f.execution.side, f.execution.shares, f.execution.price, f.commissionReport.commission] for f in filled.fills],
    "open": open_orders,
    "executions": [[f.execution.orderRef, f.execution.shares] for f in ib.reqExecutions()],
    "completed": [[t.order.orderRef, t.orderStatus.status] for t in ib.reqCompletedOrders(False)],
    "positions": [[p.contract.symbol, p.position] for p in ib.reqPositions()],
    "ticker": [ticker.bid, ticker.last, ticker.ask],
    "whatIf": ib.whatIfOrder(spy, MarketOrder("BUY", 100)).commission,
}
ib.disconnect()
print(json.dumps({**told, "problems": [problem for problem in problems if "Error 202" not in problem]}))
