// Sends the only form of the page, as a person would with its button.
document.forms[0].submit();
