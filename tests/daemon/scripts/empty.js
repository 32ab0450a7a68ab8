// Has no function that anybody could call.
var nothing = true;
