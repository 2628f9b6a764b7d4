// The classic loop: one regular expression per rule, compiled once. Prints the CPU nanoseconds of one pass over the text.
const { rules, text } = JSON.parse(require("fs").readFileSync(0, "utf8"));
const escaped = (key) => key.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
const patterns = Object.entries(rules).map(([key, value]) => [new RegExp(`\\b${escaped(key)}\\b`, "gi"), value]);
const replace = (text) => patterns.reduce((text, [pattern, value]) => text.replace(pattern, () => value), text);

for (let i = 0; i < 3; i++) replace(text);
const times = [];
for (let i = 0; i < 5; i++) {
  const start = process.cpuUsage();
  replace(text);
  const { user, system } = process.cpuUsage(start);
  times.push((user + system) * 1000);
}
console.log(times.sort((a, b) => a - b)[2]);
