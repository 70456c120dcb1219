-- Commissions by currency. A commission that has not come is absent, not zero.
SELECT
  JSON_VALUE(data, '$.currency') AS currency,
  COUNT(*) AS reports,
  SUM(CAST(JSON_VALUE(data, '$.commission') AS NUMERIC)) AS commission
FROM ${DATASET}.events
WHERE type = 'CommissionReported'
GROUP BY currency
ORDER BY currency
