-- The days as they were closed: net liquidation and profit.
SELECT
  JSON_VALUE(data, '$.session') AS session,
  JSON_VALUE(data, '$.currency') AS currency,
  CAST(JSON_VALUE(data, '$.netLiquidation') AS NUMERIC) AS net_liquidation,
  CAST(JSON_VALUE(data, '$.profit') AS NUMERIC) AS profit
FROM ${DATASET}.events
WHERE type = 'DayClosed'
ORDER BY session
