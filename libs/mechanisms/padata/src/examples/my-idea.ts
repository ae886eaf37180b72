// An example of a variant of one's own: kwb run padata-neighbours --variant my-idea.ts
//
// The idea: guided self-scheduling. The first chunks are half of what an even share would be and the later ones ever shorter,
// so that all workers end at about the same time also when some of their CPUs have other work (93.0 s there; the series 98.3).
import type { JobSplit, JobToSplit, PadataIdea } from '@kworkbench/padata';

const SHARES = 2;

function guided({ workers, minChunk, align }: JobToSplit): JobSplit {
  return {
    next(remaining) {
      const wanted = Math.max(remaining.size / (workers * SHARES), minChunk);
      return remaining.take(Math.min(Math.ceil(wanted / align) * align, remaining.size));
    },
  };
}

const idea: PadataIdea = {
  mechanism: 'padata',
  id: 'guided',
  title: 'chunks of half an even share of what is left',
  split: guided,
};

export default idea;
