-- Each event of the journal once: the topic carries it at least once, and readers know an event by its position.
-- Each trading mode has a dataset of its own.
SELECT
  position,
  CAST(SUBSTR(position, 1, INSTR(position, '.') - 1) AS INT64) AS commit_position,
  CAST(SUBSTR(position, INSTR(position, '.') + 1) AS INT64) AS event_number,
  type,
  v,
  occurred_at,
  recorded_at,
  correlation_id,
  data
FROM (
  SELECT
    JSON_VALUE(data, '$.position') AS position,
    JSON_VALUE(data, '$.type') AS type,
    CAST(JSON_VALUE(data, '$.v') AS INT64) AS v,
    JSON_VALUE(data, '$.occurredAt') AS occurred_at,
    JSON_VALUE(data, '$.recordedAt') AS recorded_at,
    JSON_VALUE(attributes, '$.correlationId') AS correlation_id,
    JSON_QUERY(data, '$.data') AS data,
    ROW_NUMBER() OVER (PARTITION BY JSON_VALUE(data, '$.position') ORDER BY publish_time, message_id) AS copy
  FROM ${DATASET}.messages
) AS delivered
WHERE copy = 1
