// Before the first paint: the theme that the reader chose here; otherwise the system's.
(() => {
  const chosen = localStorage.getItem('arbutus.theme');
  if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset.theme = chosen;
})();
