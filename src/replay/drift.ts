// Is a rate above its budget? An e-value that may be looked at after every step: when it reaches 1/alarm, the budget is
// exceeded, and a metric that keeps its budget is ever called so with probability at most `alarm` (Ville's inequality; see
// Ramdas, Gruenwald, Vovk, Shafer, "Game-theoretic statistics and safe anytime-valid inference", 2023). Pure.

/** How many times the budget the rate might be; each alternative has the same weight. */
const TIMES = [1.25, 1.5, 2, 3, 5, 10];

/**
 * The evidence that steps are bad more often than `budget` (a share above 0 and below 1): the mean likelihood ratio of
 * higher rates. Each ratio expects at most 1 at every step while the rate keeps the budget. Below 1: none.
 */
export function driftEvidence(good: number, bad: number, budget: number): number {
  const rates = TIMES.map((times) => budget * times).filter((rate) => rate < 1);
  // A budget so large that nothing can exceed it by so much: half the way to always.
  if (rates.length === 0) rates.push((1 + budget) / 2);
  const ratios = rates.map((rate) =>
    Math.exp(bad * Math.log(rate / budget) + good * Math.log((1 - rate) / (1 - budget))),
  );
  return ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length;
}
