-- How often each thing happened.
SELECT type, COUNT(*) AS events
FROM ${DATASET}.events
GROUP BY type
ORDER BY type
