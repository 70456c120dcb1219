-- How pipelines ended.
SELECT JSON_VALUE(data, '$.outcome') AS outcome, COUNT(*) AS runs
FROM ${DATASET}.events
WHERE type = 'PipelineEnded'
GROUP BY outcome
ORDER BY outcome
