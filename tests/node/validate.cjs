// Reads [{name, html}] as JSON from standard input and writes what html-validate finds, one line a finding.

const { HtmlValidate } = require("html-validate");

const validator = new HtmlValidate({
  extends: ["html-validate:standard"],
  rules: {
    // Matters of taste, and what templates cannot help.
    "no-trailing-whitespace": "off",
    "void-style": "off",
    "long-title": "off",
    "no-inline-style": "error",
    // The house writes them by hand: a switch of its own, forms that need no button name.
    "prefer-native-element": "off",
    "require-sri": "off",
    "no-implicit-button-type": "off",
    "valid-id": ["error", { relaxed: true }],
    "tel-non-breaking": "off",
  },
});

let text = "";
process.stdin.setEncoding("utf8");
process.stdin.on("data", (part) => (text += part));
process.stdin.on("end", async () => {
  const findings = [];
  for (const { name, html } of JSON.parse(text)) {
    const report = await validator.validateString(html, name);
    for (const result of report.results)
      for (const { line, column, ruleId, message, selector } of result.messages) findings.push(`${name}:${line}:${column} ${ruleId}: ${message} (${selector ?? ""})`);
  }
  process.stdout.write(JSON.stringify(findings));
});
