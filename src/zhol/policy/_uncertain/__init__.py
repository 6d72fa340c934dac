"""Parts of global sensitivity and the value of information: the uncertain inputs, the system as a function of them."""
