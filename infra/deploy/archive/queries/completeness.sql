-- Is all of it here? missing_commits is 0 when every commit up to the last has an event here, and events equals what
-- `ibt journal` counts. The archive begins when its subscription was made: then first_commit is not 1.
SELECT
  COUNT(*) AS events,
  COUNT(DISTINCT commit_position) AS commits,
  MIN(commit_position) AS first_commit,
  MAX(commit_position) AS last_commit,
  MAX(commit_position) - MIN(commit_position) + 1 - COUNT(DISTINCT commit_position) AS missing_commits
FROM ${DATASET}.events
