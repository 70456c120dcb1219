/** The package brings no types; these are the parts used here. */
declare module 'asciichart' {
  const chart: { plot(series: readonly number[], settings?: { height?: number; format?: (value: number) => string }): string }
  export default chart
}
