// All benchmarks, one after the other, with the same options.
for (const name of ["receive", "send", "round_trip", "relay"]) {
  await import(`./${name}.ts`);
  console.log();
}
