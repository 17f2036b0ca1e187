// Sends the only form of the page where a page frames it that may. In a window of its own a person decides.
if (window.parent !== window) {
	document.forms[0].submit();
}
