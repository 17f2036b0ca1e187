// Tells the page that frames this one, or has opened it, what it waits for, once the pages that hear of it first are loaded. One of
// them that hangs must not keep anybody.
const message = document.getElementById("message").dataset;
const framed = window.parent !== window;
let told = false;
function tell() {
	const reader = framed ? window.parent : window.opener;
	if (told || !reader) {
		return;
	}
	told = true;
	reader.postMessage(message.data, message.target);
	if (!framed && message.close) {
		window.close();
	}
}
addEventListener("load", tell);
setTimeout(tell, 3000);
