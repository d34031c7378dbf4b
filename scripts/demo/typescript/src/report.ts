import { format, sum } from "./money.js";

const sales = [
  { city: "Oslo", cents: 1250 },
  { city: "Rome", cents: 980 },
];

// Wrong on purpose: tsc and eslint both have something to say about this line.
let total: string = sum(sales.map(({ cents }) => cents));

for (const { city, cents } of sales) {
  console.log(`${city.padEnd(6)} ${format(cents).padStart(9)}`);
}
console.log(`total  ${total.padStart(9)}`);
