import { h, fill } from './dom.js';
import { ask } from './api.js';
import { makeMap, Mosaic, boundsOf } from './basemap.js';
import { legend, showPoint } from './point.js';
import { chip } from './page-jobs.js';

export async function show(main, [wanted]) {
  main.classList.add('full');
  const element = h('div', { class: 'map whole', 'aria-label': 'Map', role: 'application' });
  const list = h('section', { class: 'float catalogue', 'aria-label': 'Mosaics' }, h('h2', {}, 'Mosaics'), h('p', { class: 'soft small' }, 'Looking…'));
  const key = h('section', { class: 'float legend', hidden: true, 'aria-label': 'Legend' });
  main.append(element, list, key);
  const map = makeMap(element);
  let shown = null;
  map.on('click', (event) => { if (shown) showPoint(map, shown.job, event.latlng); });

  async function open(job, fly) {
    const grid = await ask(`/jobs/${job}/tasks`);
    shown?.layer.remove();
    const layer = new Mosaic(map, job, grid.bbox, grid.indices[0].name);
    shown = { job, layer };
    if (grid.bbox && fly) map.fitBounds(boundsOf(grid.bbox), { padding: [40, 40], animate: false });
    history.replaceState(null, '', `#/map/${job}`);
    draw(grid);
    for (const item of list.querySelectorAll('a')) item.toggleAttribute('aria-current', item.dataset.job === job);
  }

  function draw(grid) {
    key.hidden = false;
    const part = h('div', {});
    const pick = h('select', { 'aria-label': 'Index', onchange: () => {
      shown.layer.show(pick.value);
      fill(part, legend(grid.indices.find((index) => index.name === pick.value)));
    } }, grid.indices.map((index) => h('option', { value: index.name }, index.name.toUpperCase())));
    fill(part, legend(grid.indices[0]));
    const origin = location.origin;
    const copy = (name, address) => h('button', { class: 'quiet small', title: address(), onclick: async (event) => {
      const button = event.currentTarget;
      try { await navigator.clipboard.writeText(address()); button.textContent = 'Copied'; } catch { prompt(name, address()); }
      setTimeout(() => { button.textContent = name; }, 1500);
    } }, name);
    const chosen = () => (grid.indices.length > 1 ? pick.value : grid.indices[0].name);
    fill(key, grid.indices.length > 1 && pick, part,
      h('label', { class: 'opacity' }, 'Opacity', h('input', { type: 'range', min: '0', max: '1', step: '0.05', value: '1',
        oninput: (event) => shown.layer.setOpacity(Number(event.target.value)) })),
      h('div', { class: 'row copies' }, h('span', { class: 'small soft' }, 'For QGIS'),
        copy('XYZ', () => `${origin}/jobs/${grid.jobID}/tiles/{z}/{x}/{y}.png?index=${chosen()}`),
        copy('COG', () => `/vsicurl/${origin}/artifacts/${grid.jobID}/${chosen()}.tif`),
        copy('STAC', () => `${origin}/stac/collections/mosaics/items/${grid.jobID}`)),
      h('p', { class: 'small soft' }, 'Click the map for the value, its scene and its date. ', h('a', { href: `#/job/${grid.jobID}` }, 'The job')));
  }

  try {
    const { jobs } = await ask('/jobs');
    const done = jobs.filter((job) => job.state === 'complete' || job.state === 'partial' || job.jobID === wanted);
    fill(list, h('h2', {}, done.length === 1 ? '1 mosaic' : `${done.length} mosaics`), done.length
      ? h('ul', { class: 'jobs' }, done.map((job) => h('li', {}, h('a', { href: `#/map/${job.jobID}`, data: { job: job.jobID },
        onclick: (event) => { event.preventDefault(); open(job.jobID, true).catch((error) => fail(error)); } },
      h('b', {}, job.title || 'Untitled'), chip(job.state)))))
      : h('p', { class: 'soft small' }, 'There is none yet. ', h('a', { href: '#/new' }, 'Make the first one'), '; it appears here when it is complete.'));
    const first = done.find((job) => job.jobID === wanted) ?? (done.length === 1 ? done[0] : null);
    if (first) await open(first.jobID, true);
  } catch (error) { fail(error); }
  function fail(error) { list.append(h('p', { class: 'error' }, error.message)); }
  return () => map.remove();
}
