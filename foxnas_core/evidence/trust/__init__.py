"""Does the supernet rank subnets as training each of them alone does?"""
