/* global L */
import { h, fill, amount, duration, say } from './dom.js';
import { ask, send } from './api.js';
import { makeMap } from './basemap.js';

const indices = ['ndvi', 'ndsi', 'ndwi', 'evi', 'savi', 'nbr', 'ndmi'];
const rules = { first: 'first in the list', newest: 'newest', 'least-cloud': 'least cloud', last: 'last in the list', mean: 'mean', median: 'median', min: 'minimum', max: 'maximum' };

export function show(main) {
  main.classList.add('full');
  const known = JSON.parse(localStorage.getItem('arbutus.scenes') ?? '""');
  const field = (name, label, properties = {}) => h('label', {}, label, h('input', { name, ...properties }));
  const corner = (name, label) => field(name, label, { inputmode: 'decimal', autocomplete: 'off', placeholder: '–' });
  const error = h('p', { class: 'error', role: 'alert' });
  const estimate = h('div', { class: 'note small soft', role: 'status' }, 'Scenes and area are looked at before the start.');
  const start = h('button', { class: 'main', type: 'submit' }, 'Start');
  const draw = h('button', { type: 'button', 'aria-pressed': 'false' }, 'Draw a box');
  const form = h('form', { novalidate: true }, h('h1', {}, 'New mosaic'),
    field('title', 'Title', { maxlength: '60', placeholder: 'as the index is called' }),
    h('label', {}, 'Scenes: one path or address on a line, first ones win', h('textarea', { name: 'scenes', spellcheck: false, placeholder: '/data/S2A_MSIL2A_….SAFE' }, known)),
    h('div', { class: 'row', role: 'group', 'aria-label': 'Indices' }, indices.map((name, place) => h('label', { class: 'check' },
      h('input', { type: 'checkbox', name: 'index', value: name, checked: place === 0 }), name.toUpperCase()))),
    h('div', { class: 'row' }, draw, h('button', { type: 'button', class: 'quiet', onclick: () => setBox(null) }, 'All of the scenes')),
    h('div', { class: 'fields' }, corner('lat1', 'Latitude'), corner('lon1', 'Longitude'), corner('lat2', 'Latitude, other corner'), corner('lon2', 'Longitude, other corner')),
    h('details', {}, h('summary', { class: 'small soft' }, 'Rules'), h('div', { class: 'fields', style: { 'margin-top': '10px' } },
      h('label', {}, 'Where scenes overlap', h('select', { name: 'select' }, Object.entries(rules).map(([value, text]) => h('option', { value }, text)))),
      h('label', {}, 'Clouds', h('select', { name: 'mask' }, h('option', { value: 'automatic' }, 'hidden'), h('option', { value: 'none' }, 'shown'))),
      field('resolution', 'Pixel size (of the CRS)', { inputmode: 'decimal', placeholder: 'as the scenes' }), field('crs', 'CRS', { placeholder: 'as the scenes' }))),
    estimate, error, h('div', { class: 'row' }, start, h('button', { type: 'button', onclick: () => look() }, 'Estimate')));
  const element = h('div', { class: 'map', role: 'application', 'aria-label': 'Map to draw on' });
  const frame = h('div', { class: 'new' }, form, element);
  main.append(frame);
  const map = makeMap(element);
  let box = null; let footprints = null;
  const input = (name) => form.elements[name];

  // The box: drawn with the pointer, or typed as two corners in any order.
  function setBox(bounds, isTyped) {
    box?.remove(); box = null;
    if (bounds) box = L.rectangle(bounds, { color: getComputedStyle(document.documentElement).getPropertyValue('--accent').trim(), weight: 2, fillOpacity: 0.08 }).addTo(map);
    if (!isTyped) {
      input('lat1').value = bounds ? bounds.getNorth().toFixed(5) : ''; input('lon1').value = bounds ? bounds.getWest().toFixed(5) : '';
      input('lat2').value = bounds ? bounds.getSouth().toFixed(5) : ''; input('lon2').value = bounds ? bounds.getEast().toFixed(5) : '';
    }
  }
  function typed() {
    const values = ['lat1', 'lon1', 'lat2', 'lon2'].map((name) => input(name).value.trim().replace(',', '.'));
    if (values.every((text) => text === '')) return null;
    const numbers = values.map((text) => (text === '' ? NaN : Number(text)));
    if (numbers.some((value) => !Number.isFinite(value)) || Math.abs(numbers[0]) > 90 || Math.abs(numbers[2]) > 90) throw new Error('The corners need four numbers in degrees; latitudes lie between −90 and 90.');
    if (numbers[0] === numbers[2] || numbers[1] === numbers[3]) throw new Error('The two corners make no area; they have to differ in latitude and longitude.');
    return numbers;
  }
  for (const name of ['lat1', 'lon1', 'lat2', 'lon2']) input(name).addEventListener('change', () => {
    try { const n = typed(); setBox(n && L.latLngBounds([n[0], n[1]], [n[2], n[3]]), true); say(error, ''); if (box) map.fitBounds(box.getBounds(), { padding: [60, 60], animate: false }); } catch (problem) { say(error, problem.message); }
  });
  let from = null;
  const drawing = (isOn) => {
    draw.setAttribute('aria-pressed', String(isOn)); frame.classList.toggle('drawing', isOn);
    if (isOn) map.dragging.disable(); else { map.dragging.enable(); from = null; }
  };
  draw.addEventListener('click', () => drawing(draw.getAttribute('aria-pressed') !== 'true'));
  const at = (event) => map.mouseEventToLatLng(event);
  element.addEventListener('pointerdown', (event) => {
    if (draw.getAttribute('aria-pressed') !== 'true' || event.target.closest('.leaflet-control')) return;
    event.preventDefault(); event.stopPropagation(); from = at(event); element.setPointerCapture(event.pointerId);
  }, true);
  element.addEventListener('pointermove', (event) => { if (from) setBox(L.latLngBounds(from, at(event))); });
  element.addEventListener('pointerup', (event) => {
    if (!from) return;
    setBox(L.latLngBounds(from, at(event))); drawing(false);
  });

  function request() {
    const scenes = input('scenes').value.split('\n').map((line) => line.trim()).filter(Boolean);
    if (!scenes.length) throw new Error('Give at least one scene: the path of a SAFE folder, a folder of bands, or a raster.');
    const chosen = [...form.querySelectorAll('input[name=index]:checked')].map((item) => item.value);
    if (!chosen.length) throw new Error('Choose at least one index.');
    const result = { scenes, indices: chosen, select: input('select').value };
    if (input('title').value.trim()) result.title = input('title').value.trim();
    if (input('mask').value === 'none') result.mask = 'none';
    if (input('crs').value.trim()) result.crs = input('crs').value.trim();
    if (input('resolution').value.trim()) result.resolution = Number(input('resolution').value);
    const corners = typed();
    if (corners) {
      const [a, b, c, d] = corners;
      const [low, high] = [Math.min(b, d), Math.max(b, d)];
      const crosses = high - low > 180;
      result.bbox = [crosses ? high : low, Math.min(a, c), crosses ? low : high, Math.max(a, c)];
    }
    localStorage.setItem('arbutus.scenes', JSON.stringify(input('scenes').value));
    return result;
  }
  async function look() {
    say(error, '');
    try {
      const inputs = request();
      say(estimate, 'Looking at the scenes…');
      const found = await send('/processes/mosaic/estimate', { inputs });
      footprints?.remove();
      footprints = L.featureGroup(found.scenes.map((scene) => L.polygon(scene.outline.reduce((all, value, place) => (place % 2 ? all[all.length - 1].unshift(value) : all.push([value]), all), []),
        { color: getComputedStyle(document.documentElement).getPropertyValue('--n0').trim(), weight: 1.5, fillOpacity: 0.06 }).bindTooltip(h('span', {}, scene.id)))).addTo(map);
      if (found.scenes.length) map.fitBounds(footprints.getBounds(), { padding: [40, 40], animate: false });
      fill(estimate, h('div', {}, `${found.scenes.length} scenes, ${found.tasks} tasks, ${amount(found.pixels, 'px')} in ${found.crs}`),
        h('div', {}, `${amount(found.inputBytes, 'B')} to read; about ${duration(found.seconds[0])} to ${duration(found.seconds[1])} on the ${found.slots} slots of this cluster`),
        found.warnings.map((text) => h('div', { class: 'error' }, text)));
    } catch (problem) { say(error, problem.message); say(estimate, 'Scenes and area are looked at before the start.'); }
  }
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    say(error, '');
    try {
      const inputs = request();
      start.disabled = true;
      // The id is ours, so that a second try is the same job.
      const jobID = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
      const answer = await send('/processes/mosaic/execution', { inputs, jobID });
      location.hash = `#/job/${answer.jobID}`;
    } catch (problem) { say(error, problem.message); start.disabled = false; }
  });
  ask('/jobs').catch(() => {});
  return () => map.remove();
}
