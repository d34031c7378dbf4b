/** Amounts are whole cents, so that sums are exact. */
export function sum(amounts: number[]): number {
  return amounts.reduce((total, cents) => total + cents, 0);
}

export function format(cents: number): string {
  return `${(cents / 100).toFixed(2)} EUR`;
}
