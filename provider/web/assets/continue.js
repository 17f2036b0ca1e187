// Goes on like the page's refresh, for which browsers wait until the last frame is loaded: one that hangs must not keep anybody.
setTimeout(() => location.replace(document.getElementById("continue").href), 3000);
