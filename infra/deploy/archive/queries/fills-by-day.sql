-- Fills by day (UTC) and symbol: bought, sold, and how much money moved.
SELECT
  SUBSTR(occurred_at, 1, 10) AS day,
  JSON_VALUE(data, '$.symbol') AS symbol,
  COUNT(*) AS fills,
  SUM(CASE WHEN SUBSTR(JSON_VALUE(data, '$.quantity'), 1, 1) <> '-' THEN CAST(JSON_VALUE(data, '$.quantity') AS NUMERIC) ELSE 0 END) AS bought,
  SUM(CASE WHEN SUBSTR(JSON_VALUE(data, '$.quantity'), 1, 1) = '-' THEN -CAST(JSON_VALUE(data, '$.quantity') AS NUMERIC) ELSE 0 END) AS sold,
  SUM(ABS(CAST(JSON_VALUE(data, '$.quantity') AS NUMERIC)) * CAST(JSON_VALUE(data, '$.price') AS NUMERIC)) AS turnover
FROM ${DATASET}.events
WHERE type = 'FillReceived'
GROUP BY day, symbol
ORDER BY day, symbol
