// Goes on in the place of the page's refresh, for which browsers wait until the last frame is loaded: one that hangs must not keep
// anybody. The refresh is for browsers without scripts alone: with both, a page that answers slowly would be opened twice.
setTimeout(() => location.replace(document.getElementById("continue").href), 3000);
