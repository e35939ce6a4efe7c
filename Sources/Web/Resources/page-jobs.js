import { h, fill, nodeName } from './dom.js';
import { ask } from './api.js';

export const words = { running: 'Running', complete: 'Complete', partial: 'Partial', failed: 'Failed', cancelled: 'Cancelled' };
export const chip = (state) => h('span', { class: `chip ${state}` }, words[state] ?? state);

export async function show(main) {
  const list = h('ul', { class: 'jobs panel' });
  main.append(h('div', { class: 'head' }, h('h1', { class: 'grow' }, 'Jobs'), h('a', { class: 'button main', href: '#/new' }, 'New mosaic')), list);
  let isOpen = true; let before = '';
  const load = async () => {
    try {
      const { jobs } = await ask('/jobs');
      const text = JSON.stringify(jobs);
      if (text !== before) {
        before = text;
        const rank = { running: 0, failed: 1, partial: 1 };
        jobs.sort((a, b) => (rank[a.state] ?? 2) - (rank[b.state] ?? 2) || a.title.localeCompare(b.title));
        fill(list, jobs.length ? jobs.map((job) => h('li', {}, h('a', { href: `#/job/${job.jobID}` },
          h('b', {}, job.title || 'Untitled'), chip(job.state),
          h('span', { class: 'small soft' }, job.message ?? `${job.phase} · run ${job.run} · led by `, job.message ? null : nodeName(job.coordinator)))))
          : h('div', { class: 'empty' }, h('b', {}, 'No jobs yet'), 'Draw a box and choose scenes: ', h('a', { href: '#/new' }, 'make the first mosaic'), '.'));
      }
    } catch (error) {
      if (!before) fill(list, h('li', { class: 'empty' }, h('b', {}, 'The jobs could not be read'), error.message));
    }
    if (isOpen) timer = setTimeout(load, 2000);
  };
  let timer;
  await load();
  return () => { isOpen = false; clearTimeout(timer); };
}
