// What a mosaic shows under the pointer.
/* global L */
import { h, nodeName } from './dom.js';
import { ask } from './api.js';

const reasons = {
  valid: 'has a value', outside: 'no scene covers it', nodata: 'the sensor saw nothing here', masked: 'hidden: cloud or shadow',
  undefined: 'the index has no value here', readFailed: 'the scene could not be read', notYetMade: 'its task is not done yet', unknown: 'no value',
};

export async function showPoint(map, job, place) {
  const popup = L.popup({ autoPanPadding: [24, 24] }).setLatLng(place).setContent(h('div', { class: 'popup soft' }, 'Looking…')).openOn(map);
  const where = place.wrap();
  try {
    const answer = await ask(`/jobs/${job}/point/${where.lng.toFixed(7)},${where.lat.toFixed(7)}`);
    popup.setContent(h('div', { class: 'popup' }, answer.values.map((value) => [
      h('div', {}, h('span', { class: 'soft' }, `${value.title} `), h('div', { class: 'value', data: { index: value.index, value: value.value ?? '' } },
        value.value === undefined ? '–' : value.value.toFixed(4))),
      h('dl', {},
        value.value === undefined && [h('dt', {}, 'Why'), h('dd', {}, reasons[value.reason] ?? value.reason)],
        value.scene && [h('dt', {}, 'Scene'), h('dd', {}, value.scene)],
        value.date && [h('dt', {}, 'Date'), h('dd', {}, new Date(value.date).toLocaleDateString([], { dateStyle: 'medium' }))]),
    ]), h('dl', {},
      h('dt', {}, 'Place'), h('dd', { class: 'num' }, `${where.lat.toFixed(5)}, ${where.lng.toFixed(5)}`),
      h('dt', {}, 'Pixel'), h('dd', { class: 'num' }, `${answer.column}, ${answer.row}`),
      answer.node && [h('dt', {}, 'Made by'), h('dd', {}, nodeName(answer.node))]),
    answer.doubt && h('p', { class: 'small soft' }, answer.doubt)));
  } catch (error) {
    popup.setContent(h('div', { class: 'popup' }, error.status === 404 ? 'No mosaic here.' : error.message));
  }
  popup.update();
}

export function legend(index) {
  return [h('div', { class: 'small' }, index.title),
    h('div', { class: 'ramp', style: { background: `linear-gradient(to right, ${index.colours.join(', ')})` } }),
    h('div', { class: 'scale' }, [index.low, (index.low + index.high) / 2, index.high].map((value) => h('span', {}, String(value))))];
}
