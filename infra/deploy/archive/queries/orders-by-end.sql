-- What became of orders. Planned orders that have not ended stand there as open.
SELECT
  COALESCE(JSON_VALUE(ended.data, '$.how'), 'open') AS how,
  COUNT(*) AS orders
FROM ${DATASET}.events AS planned
LEFT JOIN ${DATASET}.events AS ended
  ON ended.type = 'OrderClosed' AND JSON_VALUE(ended.data, '$.orderRef') = JSON_VALUE(planned.data, '$.orderRef')
WHERE planned.type = 'OrderPlanned'
GROUP BY how
ORDER BY how
