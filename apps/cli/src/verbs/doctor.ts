// `kwb doctor`
import type { Command } from 'commander';

export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description('show what this machine has, what is missing, and how to get it')
    .option('--json', 'print the findings as JSON')
    .action(async (options: { json?: boolean }) => {
      const { diagnose, renderFindings } = await import('../doctor.js');
      const findings = await diagnose();
      process.stdout.write(`${options.json ? JSON.stringify(findings, null, 2) : renderFindings(findings)}\n`);
    });
}
