/** Loaded into a process before its program: whoever began it may ask how much work it has done. */
process.on('message', () => process.send?.(process.cpuUsage()))
process.channel?.unref() // it keeps nobody alive
