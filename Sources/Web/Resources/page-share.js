import { h } from './dom.js';

export function show(main) {
  main.append(h('div', { class: 'empty' }, h('b', {}, 'The data share comes later'),
    'Here the mosaics and points of the shared database will stand, to be found, taken and given. What this cluster made itself is on the ',
    h('a', { href: '#/map' }, 'map'), '.'));
}
